"""Files of pictures, format by format. `formats` is the one list of them; each format's own module (`jpeg`,
`png`, ...) reduces a file to what its pixels need, within bounds and before any reader sees it (`lean`);
`modes` brings what the reader gives to 8 bits, `colours` to sRGB, `exif` says which way is up.
"""
