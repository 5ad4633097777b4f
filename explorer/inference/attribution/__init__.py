"""Where in the picture does the network find its answer: a function a method, a row a method in `methods`.

`evidence` is what a method may look at. `from_gradient` needs no further pass, `from_passes` many,
`from_captum` follows the score back to the pixels, `from_attention` reads a transformer's attention.
"""
