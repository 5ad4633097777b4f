"""What stands folded away under the receptive field lab: the published table, terms and sources."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from explorer.ui.kit import explain


def published() -> None:
    """Araujo et al.'s table with the networks built here beside it; traced only when asked for."""
    explain.folded("Published fields, and ours beside them", _published, key="rf_published_table")


def _published() -> None:
    if st.toggle("Trace the networks (half a minute, the first time)", key="rf_published"):
        st.dataframe(_published_rows(), hide_index=True, width="stretch")
    st.caption(
        "Published: Araujo, Norris and Sim 2019, "
        "[Distill](https://distill.pub/2019/computing-receptive-fields/), of TF-Slim's networks. Here: "
        "computed from the trace. timm's legacy SE-ResNets, which halve on the 1×1 before the 3×3, have "
        "TF-Slim's 483, 1,027 and 1,507 pixels beside their gates."
    )


@st.cache_data(show_spinner="Tracing …")
def _published_rows() -> pd.DataFrame:
    from explorer.labs.receptive_field.published import PUBLISHED, measured

    rows = []
    for row in PUBLISHED:
        field = measured(row.compared)
        rows.append(
            {
                "published for": row.name,
                "field (px)": row.size.value,
                "stride": row.stride.value,
                "padding": row.padding.value,
                "built here": row.compared,
                "field here": field.size[0],
                "stride here": field.stride[0],
                "padding here": field.padding[0],
                "agrees": field.size[0] == row.size.value,
                "what differs": row.cause,
            }
        )
    return pd.DataFrame(rows)


def sources() -> None:
    """What the page rests on."""
    with st.expander("Terms and sources", icon=":material/library_books:"):
        st.markdown(
            "- **Field**: the pixels that one unit's windows reach, padding counted; **jump**: pixels "
            "between the fields of neighbours. One window adds dilation × (kernel − 1) × jump, one stride "
            "multiplies the jump; where branches meet a unit sees the hull of both. "
            "[Araujo, Norris and Sim 2019](https://distill.pub/2019/computing-receptive-fields/).\n"
            "- **Global**: through squeeze-and-excitation, attention, norms over positions or a pooling of "
            "the whole map, a unit depends on every pixel; its local field is what its windows alone reach.\n"
            "- **Effective field**: where the root mean square gradient passes 4.55 % (1 − 95.45 %) of its "
            "largest value; its width is the side of a square of equal area. "
            "[Luo, Li, Urtasun and Zemel 2016](https://arxiv.org/abs/1701.04128).\n"
            "- **Stacks**: two 3×3 for one 5×5, three for one 7×7. "
            "[Simonyan and Zisserman 2015](https://arxiv.org/abs/1409.1556), section 2.3.\n"
            "- The fields by theory are confirmed on twelve networks by the gradient itself "
            "(`tests/labs/test_gradient_support.py`): no pixel outside has influence, the edge pixels have."
        )
