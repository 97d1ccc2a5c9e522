"""What a run leaves behind: files, tables for the terminal, pictures."""
