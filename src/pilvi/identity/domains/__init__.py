"""Domains: the homes of users, groups and projects. They share the projects' table and verbs."""
