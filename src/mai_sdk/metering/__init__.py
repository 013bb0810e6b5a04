"""What a call used and what it cost: meters, dated prices, receipts, the ledger, reports."""
