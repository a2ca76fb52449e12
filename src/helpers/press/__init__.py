"""The press: pages by papermill, bound to an edition; tables, Excel, PDF, what changed."""
