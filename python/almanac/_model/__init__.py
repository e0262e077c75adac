"""What a workflow has in hand: futures, files and directories, the function under way; and their wire form."""
