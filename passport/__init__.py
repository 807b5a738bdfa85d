"""The passport service: HTTP, identity, devices, audit and the clock around one store of health records."""
