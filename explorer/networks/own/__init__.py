"""Networks that the visitor brought: `registry` knows them, and one module a kind of file opens them.

`code` opens FILE.py:NAME, `weights` files and folders of weights (`transformers_folder` those of the package
transformers), `graph` ONNX files, of which `onnx_network` makes a module by the table of `onnx_operations`;
`module` is one handed over as an object.
"""
