"""The options that several commands share: each is declared once, with the field of the settings that it sets."""
