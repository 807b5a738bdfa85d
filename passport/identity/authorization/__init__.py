"""The authorization server: who may act for whom, through which client, with which key."""
