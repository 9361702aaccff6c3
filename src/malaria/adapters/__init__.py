"""What answers the ports: each adapter knows its own outside and none of the steps."""
