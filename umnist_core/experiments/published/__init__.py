"""Every published table of the documents as data, and ours beside it."""
