"""The salient object of a picture by U²-Net-p (Qin et al., U²-Net: Going Deeper with Nested U-Structure for Salient
Object Detection, 2020): its outlines are sharper than a person detector's mask, but it does not know people."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

import numpy as np

#: The network's input size.
SIZE = 320
#: ImageNet's mean and standard deviation.
_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)


@lru_cache(None)
def _session():
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads that wait for work by spinning starve everything else on a small machine.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The arena keeps the largest activations for ever, which is most of this network's memory.
    options.enable_cpu_mem_arena = False
    model = (files("lookalike") / "assets" / "u2netp.onnx").read_bytes()
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def salient_mask(picture: np.ndarray) -> np.ndarray:
    """How much each pixel belongs to the picture's main object.

    picture : (320, 320, 3) uint8 RGB. Returns (320, 320) float32 in [0, 1].
    """
    if picture.shape != (SIZE, SIZE, 3):
        raise ValueError(f"U²-Net-p reads {SIZE} x {SIZE} RGB pictures, not {picture.shape}")
    session = _session()
    # Normalised as in training: by the picture's own maximum, then by ImageNet's colours.
    x = picture.astype(np.float32) / max(int(picture.max()), 1)
    x = (x - _MEAN) / _DEVIATION
    inputs = {session.get_inputs()[0].name: np.ascontiguousarray(x.transpose(2, 0, 1)[None])}
    return session.run([session.get_outputs()[0].name], inputs)[0][0, 0]
