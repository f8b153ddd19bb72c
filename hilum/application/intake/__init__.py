"""Images come in: upload, rows, and what happens to an image that is sent again."""
