"""Policy documents that other programs keep here: a blob with a type. Nothing of ours reads them."""
