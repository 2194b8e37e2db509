"""Moving inventories and allocations between providers in one step."""
