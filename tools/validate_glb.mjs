// Checks GLB files with Khronos's glTF validator.
//
//   npm install gltf-validator
//   node tools/validate_glb.mjs avatar.glb ...
//
// The package is looked for in the folder named by LOOKALIKE_GLTF_VALIDATOR (the package itself, or the folder it was
// installed into with `npm install --prefix`), then in ./node_modules. Prints a table of every finding and one line a file.
// Exit status: 0 without errors and warnings, 1 with some, 2 where the check could not be made.

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const SEVERITIES = ["error", "warning", "info", "hint"];

function loadValidator() {
  const places = [process.env.LOOKALIKE_GLTF_VALIDATOR, "."].filter(Boolean).map((place) => resolve(place));
  const folders = places.flatMap((place) => [place, join(place, "gltf-validator"), join(place, "node_modules", "gltf-validator")]);
  for (const folder of folders) {
    const manifest = join(folder, "package.json");
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf8")).name === "gltf-validator") {
      return createRequire(manifest)(folder);
    }
  }
  return null;
}

async function check(validator, path) {
  const report = await validator.validateBytes(new Uint8Array(readFileSync(path)), { uri: path, maxIssues: 0 });
  const { numErrors, numWarnings, numInfos, numHints, messages } = report.issues;
  console.log(`${path}: ${numErrors} errors, ${numWarnings} warnings, ${numInfos} infos, ${numHints} hints`);
  if (messages.length) {
    console.table(
      messages.slice(0, 200).map(({ severity, code, pointer, message }) => ({ severity: SEVERITIES[severity], code, pointer, message })),
    );
  }
  return numErrors + numWarnings === 0;
}

const paths = process.argv.slice(2);
const validator = loadValidator();
if (!validator) {
  console.error("gltf-validator is not installed: run `npm install gltf-validator`, or name its folder in LOOKALIKE_GLTF_VALIDATOR.");
  process.exit(2);
}
if (!paths.length) {
  console.error("Usage: node tools/validate_glb.mjs FILE.glb ...");
  process.exit(2);
}
let clean = true;
for (const path of paths) {
  try {
    clean = (await check(validator, path)) && clean;
  } catch (problem) {
    console.error(`${path}: ${problem}`);
    clean = false;
  }
}
process.exit(clean ? 0 : 1);
