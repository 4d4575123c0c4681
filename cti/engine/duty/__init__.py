"""People on duty in the engine: roster, conduct, findings, handover. Each is a part (cti/engine/part.py).

``rostering`` with ``leaving``; ``conduct`` with ``permits``, ``breaks``, ``dutylog``, ``seatcheck``, ``pastconsole``;
``finding`` with ``ledger``, ``watching``, ``attending``; ``handing`` with the ``handover_*``. ``parts`` puts them
together.
"""
