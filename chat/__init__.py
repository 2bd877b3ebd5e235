"""A chat server that keeps what it acknowledges.

The packages stand on floors, and imports run strictly downward (``setup.cfg`` holds the contract):
``errors``, ``values``, ``events``; then ``interfaces``, ``grammar``, ``stretch`` and ``wire``; then
``core``, ``storage`` and ``bus``; then ``commands`` and ``auth``; then ``frontends``; and on top
``tap``, the one place that puts a server together.
"""

__version__ = "0.1.0"
