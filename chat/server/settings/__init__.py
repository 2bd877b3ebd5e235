"""Every setting of the server: where it is declared, and how it is read from files and options."""
