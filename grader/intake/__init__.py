"""What was handed in: workspace, .py, .ipynb, folders, archives. Bytes come in, text goes out, nothing runs."""
