"""From a name to a `Trace`: the operations of one forward pass, with what each costs."""
