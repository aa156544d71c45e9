"""The daily audit assessment form (日常稽核评估表): prepared, confirmed, issued (A5, A6)."""
