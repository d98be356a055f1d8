"""What every page needs and no feature owns: who is here, units of work, headers, errors, forms, paging, filters, charts."""
