"""MakeHuman's assets on bodies: its files in, dressed bodies out."""
