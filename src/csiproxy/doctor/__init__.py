"""What an operator asks of a node: is it fit, and does Windows do what this program assumes of it?"""
