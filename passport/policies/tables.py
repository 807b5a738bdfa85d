"""The table of policies: who wrote the version that waits for another operator."""

from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text

metadata = MetaData()

policy_proposal = Table(
    "policy_proposal",
    metadata,
    Column("consent_key", BigInteger, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("proposed_by", Text(collation="C"), nullable=False),
)
