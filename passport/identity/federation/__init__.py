"""Federation: people who sign in at a provider that the city or their hospital trusts, by OpenID Connect."""
