"""The image service: what servers boot from. Metadata in the database, bytes in stores; bytes stream through `live`.

It asks identity who is calling, and nobody else. Compute asks it through `facade.py`.
"""
