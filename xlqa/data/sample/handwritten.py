Passage=tuple
RUSSIAN=CHINESE=[]
