"""JAHIS 電子版お薬手帳データフォーマット仕様書 Ver. 2.6 (JAHISTC01 to 08) to FHIR R4.

https://www.jahis.jp/standard/contents_type=33
"""
