"""Receipts: what a person keeps of each consent that they gave, signed, and proved without asking anybody.

https://www.iso.org/standard/80392.html (ISO/IEC TS 27560:2023)
"""
