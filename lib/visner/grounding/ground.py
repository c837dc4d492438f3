"""Which pictures each unit of a corpus sees, as rows of one array of vectors."""
