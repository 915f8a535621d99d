"""Pictures made by the program: SVG from arrays, no library, no script, readable in print."""
