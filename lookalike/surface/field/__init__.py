"""The implicit surface: predicted maps and a body in, a signed distance everywhere around the person out."""
