"""Surveys: the locked question, the words around it and what follows each group.

Nouns: Survey, SurveyVersion. Promises: a version that a message has used never changes; nobody edits the question or its scale.
"""
