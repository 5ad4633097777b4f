"""What the screen is made of; importing it loads neither torch nor Plotly, so the first page is up at once.

One room a page, and before them what they share. An import runs only upwards in this list, and no page
imports another:

    kit         what every page is made of: colours, numbers as text, fields tied to the link, figures
    frame       what stands around every page: navigation, picker, links, the address, presentation
    picture     the visitor's picture, and whose weights look at it
    volumes     the drawing of a network as volumes
    network     a network in numbers, wherever it is shown
    diagram     the interactive block diagram
    side_by_side, families, effective_field    drawings that more than one page shows
    timeline, architecture, inference ...      the pages
    gradio_app  the same core behind Gradio, without the frame

A style sheet or script lies in the room that loads it. Nothing here knows how a network is built or run.
"""
