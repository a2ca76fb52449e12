"""Lab: JupyterLab as `workbook lab` starts it.

Warm kernels, a start page, edited helpers that are reloaded, notebooks in one language that are
saved as they can be read without a kernel. It is set up by Jupyter's own means, for this server
alone: `share/` is on its data path (a kernel, an extension of the browser's side), `etc/` on its
path of configurations (an extension of the server's), `settings/` holds its settings.
"""
