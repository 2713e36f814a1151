"""Models in the interface of other libraries."""
