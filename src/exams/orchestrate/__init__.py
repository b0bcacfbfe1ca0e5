"""The seam to Ploomber and papermill: the one package that knows them."""
