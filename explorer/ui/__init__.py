"""What the screen is made of; importing it loads neither torch nor Plotly, so the first page is up at once.

    page        the frame around every page: navigation, head row, `begin()` with which each page starts
    picker      the one architecture picker, and the name it holds turned into a network reference
    state       what a link carries: `arch` and `present`
    theme       colours of families and of operations, light and dark; the Plotly template
    timeline    the timeline's geometry (pure functions) and the component that draws it

Charts, the diagram and the Gradio app live here too. Nothing here knows how a network is built or run.
"""
