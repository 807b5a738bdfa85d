"""What is unsafe in how an installation is set up, found before anybody relies on it."""
