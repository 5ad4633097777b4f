"""What the screen is made of; importing it loads neither torch nor Plotly, so the first page is up at once.

    page        the frame around every page: navigation, head row, `begin()` with which each page starts
    picker      the one architecture picker, and the name it holds turned into a network reference
    state       what a link carries: `arch` and `present`
    theme       colours of families and of operations, light and dark; the Plotly template
    timeline*   the timeline: its geometry (pure functions) and the component that draws it
    diagram*, network_diagram, stage_cards, node_facts    the block diagram, likewise
    architecture_*, notes, stats_sheet, charts, layer_table, *_panel    the Architecture page
    inference_*, feature_maps    the Inference page
    lab, visit, lab_panels, facets    what all labs share; each lab's page is drawn by the modules of its name
    formatting  numbers, sizes and names as the screen shows them
    gradio_app  the same core behind Gradio, without the frame
    assets      style sheets and scripts

Nothing here knows how a network is built or run.
"""
