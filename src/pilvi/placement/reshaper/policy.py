from pilvi.kernel.policy import service
from pilvi.placement.checks import rule

RESHAPE = rule("reshaper:reshape", "Move inventories and allocations between providers.", service)
