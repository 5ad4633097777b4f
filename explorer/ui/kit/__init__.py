"""What every page is made of: colours and type, numbers as text, fields tied to the link, figures, panels."""
