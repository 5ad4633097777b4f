"""What stands around every page: navigation, head row with the picker, links, the address, presentation."""
