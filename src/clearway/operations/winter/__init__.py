"""Winter service in operation: from need, roads and fleet to a plan, its progress, and a new plan."""
