"""Pure decisions about contacts, one file a noun: values of fields, countries, tables, workbooks, columns, rows, joining, segments."""
