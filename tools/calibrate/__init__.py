"""How the landmarks of lookalike/assets/body.npz and the landmark lift were made, in three steps:

    python -m tools.calibrate.render  --mocap cmu_poses.npz --makehuman DIR --out shots.npz [--count 3200]
    python -m tools.calibrate.places  shots.npz --makehuman DIR lookalike/assets/body.npz
    python -m tools.calibrate.lift    shots.npz lookalike/assets/weights/landmark_lift.safetensors

MediaPipe's landmarks are what they are: "hip" is where its annotators clicked. So bodies with known joints, roughly
clothed and in motion-capture poses, are rendered, MediaPipe looks at them, and two things are learnt: where on the body
each of its landmarks lies, and how its 3D landmarks err. Rendering takes about 0.15 s a picture on one core. The mocap
file holds joint positions (`positions_cm` (n, 22, 3), `joint_names`, `clip_index`); the MakeHuman folder is its standard
assets.
"""
