"""A trained experiment that tags new text."""
