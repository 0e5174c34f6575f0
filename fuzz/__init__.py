"""Coverage-guided fuzzing of everything that parses: ``python -m fuzz``; see README.md beside this file."""
