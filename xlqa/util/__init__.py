"""Small tools without a subject: files, text."""
