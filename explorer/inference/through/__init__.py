"""The picture on its way through the whole network, for any network.

`columns` says what stands for it: its stages, of an opened one the blocks, of an opened block the layers.
`maps` keeps the strongest channels of each while the picture passes, so that it rides along in the pass that
`explain` makes anyway. `inputs` asks, later and of one channel, what feeds it.
"""
