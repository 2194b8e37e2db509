"""Classes of resources, standard and one's own."""
